"""How synthetic images are made: in which space, by which plan, and how they are written."""
