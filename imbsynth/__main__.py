"""`python -m imbsynth`: the command line without the installed script."""

from imbsynth.cli import main

if __name__ == "__main__":
    main()
