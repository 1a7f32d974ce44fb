"""Read how much of a mapped file is in memory."""

from pathlib import Path


def resident_bytes(name: str) -> tuple[int, int]:
    """Return the bytes in memory and the size of the mapped files of this process whose paths end with a name.

    Linux only. The mappings themselves are counted: the total of a process is an estimate on newer kernels, and its
    other threads change it meanwhile.
    """
    sizes = {"Rss:": 0, "Size:": 0}
    is_it = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        words = line.split()
        if "-" in words[0]:
            is_it = line.endswith(name)
        elif is_it and words[0] in sizes:
            sizes[words[0]] += int(words[1]) * 1024
    return sizes["Rss:"], sizes["Size:"]
