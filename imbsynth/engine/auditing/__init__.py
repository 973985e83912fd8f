"""How synthetic images are checked: halves that share no image, a probe, a judge, pictures."""
