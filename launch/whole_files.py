"""Files that containers have mounted, never left half by whoever is killed meanwhile; standard library only."""

from pathlib import Path


def write(path: Path, text: str, *, mode: int) -> None:
    """Write over what is there, else put a whole file into place.

    What is there stays the same file: a container that runs has it mounted, and sees the new text at once.
    """
    content = text.encode("ascii")
    if path.exists():
        path.chmod(0o644)
        with path.open("r+b", buffering=0) as opened:
            # in one call, and shortened afterwards: it is never empty
            opened.write(content)
            opened.truncate()
        path.chmod(mode)
        return
    part = path.with_name(f".{path.name}.part")
    # of one that was killed; it may be one that cannot be written
    part.unlink(missing_ok=True)
    part.write_bytes(content)
    part.chmod(mode)
    part.replace(path)
