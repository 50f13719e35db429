"""Make .venv hold what requirements say: `python3 sermo/runtime/bootstrap.py run|dev`, as the Makefile calls it.

It runs before anything is installed and on whatever Python is found, so it uses the standard library alone and
no syntax newer than Python 3.6: an old one must get as far as saying that it is too old.
"""

import hashlib
import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)
NEWEST_KNOWN = 15
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
LOCKS = {"run": "requirements.txt", "dev": "requirements-dev.txt"}


def main(wanted):
    if sys.version_info < OLDEST:
        use_newer_python()
    if is_installed(wanted):
        return
    with one_at_a_time():
        if is_installed(wanted):
            return
        make_venv()
        install(wanted)


def use_newer_python():
    for minor in range(NEWEST_KNOWN, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and works(found):
            os.execv(found, [found, *sys.argv])
    give_up(
        f"Sermo needs Python 3.11 or newer; {sys.executable} is {sys.version_info[0]}.{sys.version_info[1]}. "
        "Install one, or name it: make run PYTHON=/path/to/python3.12"
    )


def is_installed(wanted):
    """The lock with the tests' tools holds everything the site needs, too."""
    return any(stamp_of(kind) == recorded_stamp(kind) for kind in {wanted, "dev"}) and finds_packages(PYTHON)


def stamp_of(kind):
    """What is installed and where; a .venv copied along with its checkout is set up anew."""
    with open(os.path.join(ROOT, LOCKS[kind]), "rb") as lock:
        return hashlib.sha256(lock.read() + os.fsencode(ROOT)).hexdigest()


def stamp_path(kind):
    return os.path.join(VENV, f"installed-{kind}")


def recorded_stamp(kind):
    try:
        with open(stamp_path(kind)) as stamp:
            return stamp.read().strip()
    except OSError:
        return None


class one_at_a_time:
    """A lock on the requirements themselves, so that two makes at once do not install into one another."""

    def __enter__(self):
        import fcntl

        self.file = open(os.path.join(ROOT, "requirements.txt"))
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Another make is installing here; waiting for it")
            fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *error):
        self.file.close()


def make_venv():
    if works(PYTHON) and (has_pip(PYTHON) or find_uv()):
        return
    if not os.access(ROOT, os.W_OK):
        give_up(f"Cannot write in {ROOT}: copy the checkout to a folder of your own and run make there.")
    say("Making .venv with Python " + ".".join(map(str, sys.version_info[:3])))
    if os.path.islink(VENV):
        os.unlink(VENV)
    shutil.rmtree(VENV, ignore_errors=True)
    uv = find_uv()
    if uv:
        made = quietly([uv, "venv", "--quiet", "--python", sys.executable, VENV])
    else:
        made = quietly([sys.executable, "-m", "venv", VENV])
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        if "ensurepip" in made.stdout or "No module named venv" in made.stdout:
            give_up(
                "This Python cannot make a virtual environment. On Debian or Ubuntu: "
                f"sudo apt install python3.{sys.version_info[1]}-venv (or install uv, which needs nothing else)."
            )
        give_up(f"Could not make .venv: {last_line(made.stdout)}")


def install(wanted):
    kind = "dev" if recorded_stamp("dev") else wanted  # never take the tests' tools away again
    lock = os.path.join(ROOT, LOCKS[kind])
    for stale in LOCKS:
        if os.path.exists(stamp_path(stale)):
            os.unlink(stamp_path(stale))
    if not (install_with_uv(lock) or install_with_pip(lock)):
        give_up(f"Could not install {LOCKS[kind]}: see the lines above. Run make again once mended.")
    add_checkout_to_path()
    with open(stamp_path(kind), "w") as stamp:
        stamp.write(stamp_of(kind) + "\n")


def install_with_uv(lock):
    uv = find_uv() or fetch_uv()
    if not uv:
        return False
    say(f"Installing {os.path.basename(lock)} with uv")
    done = quietly([uv, "pip", "sync", "--quiet", "--python", PYTHON, "--require-hashes", lock])
    if done.returncode:
        say(f"uv could not ({last_line(done.stdout)})")
    return done.returncode == 0


def install_with_pip(lock):
    if not has_pip(PYTHON):
        quietly([PYTHON, "-m", "ensurepip"])
    say(f"Installing {os.path.basename(lock)} with pip, which takes about a minute")
    command = [
        PYTHON,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
        lock,
    ]
    return subprocess.call(command, cwd=ROOT) == 0


def find_uv():
    own = os.path.join(VENV, "bin", "uv")
    return own if os.access(own, os.X_OK) else shutil.which("uv")


def fetch_uv():
    """uv by pip, pinned and hashed like the rest; where that fails pip does the whole work."""
    if not has_pip(PYTHON):
        return None
    say("Fetching uv, which installs faster than pip")
    lock = os.path.join(ROOT, "requirements-uv.txt")
    command = [
        PYTHON,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
        lock,
    ]
    return find_uv() if quietly(command).returncode == 0 else None


def add_checkout_to_path():
    """So that pytest, celery and granian find the project however they are called."""
    folder = subprocess.check_output([PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    with open(os.path.join(folder.decode().strip(), "sermo-checkout.pth"), "w") as path:
        path.write(ROOT + "\n")


def works(python):
    """Whether an interpreter starts (that of a copied or outlived .venv does not) and is new enough."""
    check = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    try:
        return quietly([python, "-I", "-S", "-c", check]).returncode == 0
    except OSError:
        return False


def finds_packages(python):
    """Whether the interpreter still is of the version that the packages were installed for."""
    check = "import importlib.util, sys; sys.exit(importlib.util.find_spec('django') is None)"
    return works(python) and quietly([python, "-I", "-c", check]).returncode == 0


def has_pip(python):
    return quietly([python, "-c", "import pip"]).returncode == 0


def quietly(command):
    return subprocess.run(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def say(line):
    print("==> " + line)
    sys.stdout.flush()


def give_up(line):
    sys.stderr.write("sermo: " + line + "\n")
    sys.exit(1)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        give_up("Stopped. Run make again to go on.")
    except PermissionError as error:
        give_up(
            f"Cannot write {error.filename}: run make as its owner, or copy the checkout to a folder of your own."
        )
    except OSError as error:
        give_up(f"Cannot set up .venv: {error}")
