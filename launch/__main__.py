"""`python -m launch`: the `veldwatch` command."""

from launch.cli import main

if __name__ == "__main__":
    main()
