"""Check a built wheel and source archive as their users meet them: python check_package.py DIST VENV.

VENV is a folder for a virtual environment that gets the wheel alone; libraries come from this Python's environment.
"""

import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONSUMER = """import pochoir

result: pochoir.Result = pochoir.stylize("photo.jpg", style="mosaic", size=512)
pochoir.stylize("photo.jpg", stile="mosaic")
pochoir.stylize("photo.jpg", size="big")
"""
EXPECTED = [(4, "call-arg"), (5, "arg-type")]
"""Lines of the consumer's mistakes, and mypy's names for them."""
LIBRARIES = ("torch", "numpy", "PIL", "matplotlib", "pydantic", "rich", "fastapi")
"""Large libraries whose types mypy need not read for this."""


def main() -> None:
    dist, folder = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    (wheel,), (sdist,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    check_sdist(sdist)
    check_wheel(wheel)
    check_readme()
    python = install(wheel, folder)
    check_install(python, folder)
    check_types(python, folder)
    print(f"{wheel.name} and {sdist.name}: contents, installation, command and types are right")  # noqa: T201


def check_sdist(path: Path) -> None:
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"Makefile", "README.md", "LICENSE", "pyproject.toml", "constraints.txt", "src/pochoir/py.typed"}
    assert wanted <= names, wanted - names
    tops = {name.partition("/")[0] for name in names}
    files = {"CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "PKG-INFO", "THIRD_PARTY.md"}
    files |= {"hatch_build.py", "mkdocs.yml"}
    folders = {".ci", ".github", "benchmarks", "docs", "src", "tests"}
    stray = tops - files - folders - wanted - {".gitignore"}
    assert not stray, stray
    assert not [name for name in names if "__pycache__" in name or name.startswith("build/")]


def check_wheel(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        text = archive.read(metadata).decode()
    assert "pochoir/py.typed" in names
    assert {name.partition("/")[0] for name in names} == {"pochoir", metadata.partition("/")[0]}
    fields = Parser().parsestr(text)
    readme = str(fields.get_payload())
    assert "Paint photos through masks" in readme
    links = re.findall(r"\]\(([^)]+)\)", readme)
    broken = [link for link in links if not link.startswith(("https://", "http://", "#"))]
    assert not broken, broken
    assert "Typing :: Typed" in fields.get_all("Classifier", [])


def check_readme() -> None:
    """Check the README as an index shows it when the public address is known: every link leads to a file."""
    sys.path.insert(0, str(ROOT))
    from hatch_build import project_urls, readme_for_index

    address = "https://example.org/pochoir"
    text = readme_for_index((ROOT / "README.md").read_text(encoding="utf-8"), address)
    links = re.findall(rf"\]\({address}/(?:raw|blob)/HEAD/([^)#]+)", text)
    assert len(links) >= 10, links
    assert re.search(rf"!\[[^\]]+\]\({address}/raw/HEAD/docs/images/[^)]+\)", text)
    urls = [url.partition("/HEAD/")[2] for url in project_urls(address).values() if "/HEAD/" in url]
    assert not [name for name in (*links, *urls) if not (ROOT / name).is_file()]


def install(wheel: Path, folder: Path) -> Path:
    """Install the wheel into a new environment; its libraries are those of this one."""
    venv.create(folder, clear=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--disable-pip-version-check", str(wheel)], check=True)
    ask = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    site = subprocess.run([str(python), "-c", ask], check=True, capture_output=True, text=True).stdout.strip()
    (Path(site) / "libraries.pth").write_text(sysconfig.get_paths()["purelib"])
    return python


def check_install(python: Path, folder: Path) -> None:
    code = "import pochoir; print(pochoir.__file__)"
    found = subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True, cwd=folder).stdout
    assert Path(found.strip()).is_relative_to(folder), found
    command = [str(python.parent / "pochoir"), "styles"]
    assert "mosaic" in subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout


def check_types(python: Path, folder: Path) -> None:
    """Check a consumer's module with mypy, which reads types only where py.typed is."""
    (folder / "consumer.py").write_text(CONSUMER)
    skipped = "".join(f"[mypy-{name}.*]\nfollow_imports = skip\nignore_missing_imports = true\n" for name in LIBRARIES)
    (folder / "mypy.ini").write_text(f"[mypy]\nfollow_imports = silent\n{skipped}")
    mypy = [sys.executable, "-m", "mypy", "--config-file=mypy.ini", f"--python-executable={python}", "consumer.py"]
    done = subprocess.run(mypy, capture_output=True, text=True, cwd=folder)
    found = [(int(line), kind) for line, kind in re.findall(r"consumer\.py:(\d+): error: .*\[([\w-]+)\]", done.stdout)]
    assert found == EXPECTED, done.stdout + done.stderr


if __name__ == "__main__":
    main()
