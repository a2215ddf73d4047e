#!/usr/bin/env python3
"""Do the tests see?  Makes mutants of autograd/, ops/ and models/, one at a time (an operator, a constant, a
condition, a statement that is dropped), rebuilds what changes, and runs the suites that reach the line,
until one fails.  Survivors are printed with what was changed.

    tests/mutate.py [--seed N] [--count N] [--build DIR] [--only PREFIX] [--at FILE:LINE] [--quick SECONDS]
                    [--workers N]

A copy of the tree in DIR is what is changed, one for each worker.  Which suite reaches which line is asked of gcov
first, and kept there; --quick leaves out those that then took longer.  Mutants that do not compile are replaced by
others; a line that no suite reaches is a survivor.  A test may take CPU_SECONDS: a busy machine kills no mutant."""
import argparse, glob, gzip, json, os, random, re, shutil, subprocess, sys, threading, time

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=1)
ap.add_argument("--count", type=int, default=300)
ap.add_argument("--build", default="build/mutants")
ap.add_argument("--only", default="")
ap.add_argument("--at", default="")
ap.add_argument("--quick", type=float, default=1e9)
ap.add_argument("--workers", type=int, default=1)
args = ap.parse_args()

here = os.path.abspath(args.build)
CPU_SECONDS = 30  # of one test, which is a process of its own
FOLDERS = ("autograd", "ops", "models")
ENV = dict(os.environ, CK_DEFAULT_TIMEOUT="1000", WENGERT_BASELINE="")


def run(command, cwd, timeout=900, env=ENV):
    return subprocess.run(command, cwd=cwd, env=env, timeout=timeout, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")


def make(tree, build, cflags):
    done = run(["make", "-j2", f"BUILD={build}", f"CFLAGS={cflags}", f"{build}/tests/run"], tree, 3600)
    return done.returncode == 0, done.stdout


def new_tree(name):
    tree = os.path.join(here, name)
    if not os.path.exists(tree):
        shutil.copytree(".", tree, ignore=shutil.ignore_patterns("build*", ".git"))
    return tree


# ---- Which suites reach which lines ------------------------------------------------------------------

def reach(tree):
    """{suite: seconds}, {file: {line: [suite, ...]}}, the quickest suite first."""
    kept = os.path.join(here, "reach.json.gz")
    if os.path.exists(kept):
        with gzip.open(kept, "rt") as file:
            return json.load(file)
    good, log = make(tree, "build/cov", "-O0 -g --coverage -fprofile-update=atomic")
    if not good:
        sys.exit(log)
    suites = run(["build/cov/tests/run", "-l"], tree).stdout.split()
    seconds, lines = {}, {}
    for suite in suites:
        for old in glob.glob(tree + "/build/cov/**/*.gcda", recursive=True):
            os.remove(old)
        start = time.time()
        run(["build/cov/tests/run", suite], tree)
        seconds[suite] = time.time() - start
        data = [f for d in FOLDERS for f in glob.glob(f"{tree}/build/cov/obj/{d}/**/*.gcda", recursive=True)]
        if not data:
            continue
        out = run(["gcov", "--json-format", "--stdout"] + data, tree).stdout
        for text in out.splitlines():
            if not text.startswith("{"):
                continue
            for file in json.loads(text)["files"]:
                name = os.path.normpath(file["file"])
                for line in file["lines"]:
                    if line["count"] > 0:
                        lines.setdefault(name, {}).setdefault(str(line["line_number"]), set()).add(suite)
    result = seconds, {f: {n: sorted(s, key=seconds.get) for n, s in of.items()} for f, of in lines.items()}
    with gzip.open(kept, "wt") as file:
        json.dump(result, file)
    return result


# ---- Mutants ---------------------------------------------------------------------------------------------

RULES = [(r" < ", [" <= ", " >= "]), (r" <= ", [" < "]), (r" > ", [" >= ", " <= "]), (r" >= ", [" > "]),
         (r" == ", [" != "]), (r" != ", [" == "]), (r" && ", [" || "]), (r" \|\| ", [" && "]),
         (r" \+ ", [" - "]), (r" - ", [" + "]), (r" \* ", [" + "]), (r" / ", [" * "]), (r" \+= ", [" -= "]),
         (r" -= ", [" += "]), (r"(?<![\w.])0(?![\w.])", ["1"]), (r"(?<![\w.])1(?![\w.])", ["0", "2"]),
         (r"(?<![\w.])2(?![\w.])", ["3"]), (r"\btrue\b", ["false"]), (r"\bfalse\b", ["true"]),
         (r"\bif \((?=.*\)$|.*\) *\{$)", ["if (!"]), (r"(?<=[( ])!(?=[a-z(])", [""]),
         (r"^(\s+)(?!return|break|continue|case|default|else|static|const|int|double|size_t|wg_|u?int\d+_t|bool|"
          r"char|void|struct|typedef|extern|goto)[a-z][\w>.\-\[\]]*( [-+*/|&]?= |\().*;$", [r"\1;"])]


def code_of(text):
    """The lines, with comments, strings, preprocessor and tables of declarations blanked."""
    blank = lambda m: re.sub(r"[^\n]", "\0", m.group(0))
    text = re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", blank, text, flags=re.S)
    return re.sub(r"(?m)^[ \t]*#(?:.*\\\n)*.*$", blank, text).split("\n")


def sites(tree):
    found = []
    for folder in FOLDERS:
        for path in glob.glob(f"{tree}/{folder}/**/*.[ci]*", recursive=True):
            name = os.path.relpath(path, tree)
            if not name.endswith((".c", ".inc")) or not name.startswith(args.only):
                continue
            with open(path) as file:
                text = file.read()
            inside = False
            for i, line in enumerate(code_of(text)):
                if line.startswith("{"):
                    inside = True
                elif line.startswith("}"):
                    inside = False
                if not inside or args.at and args.at != f"{name}:{i + 1}":
                    continue
                for rule, others in RULES:
                    for m in re.finditer(rule, line):
                        found += [(name, i, m.start(), m.end(), m.expand(o)) for o in others]
    return sorted(found)


def mutate(tree, site):
    name, i, start, end, new = site
    path = os.path.join(tree, name)
    with open(path) as file:
        original = file.read()
    lines = original.split("\n")
    old = lines[i]
    lines[i] = old[:start] + new + old[end:]
    if new == "if (!":  # the whole condition
        depth, at = 0, start + 5
        for at in range(start + 5, len(lines[i])):
            depth += (lines[i][at] == "(") - (lines[i][at] == ")")
            if depth < 0:
                lines[i] = lines[i][:start + 5] + "(" + lines[i][start + 5:at] + ")" + lines[i][at:]
                break
    with open(path, "w") as file:
        file.write("\n".join(lines))
    return original, old.strip(), lines[i].strip()


def fails(tree, suites):
    for suite in suites:
        try:
            if run(["prlimit", f"--cpu={CPU_SECONDS}", "build/o/tests/run", suite], tree, 1200).returncode != 0:
                return suite
        except subprocess.TimeoutExpired:
            return suite
    return None


# ---- Trying them, a tree for each worker -----------------------------------------------------------------

class Trials:
    def __init__(self, chosen, seconds, reached):
        self.chosen, self.seconds, self.reached = chosen, seconds, reached
        self.lock, self.next = threading.Lock(), 0
        self.tried, self.killed, self.survivors = 0, 0, []

    def take(self):
        """The next site; none where enough were tried, or are being tried."""
        with self.lock:
            if self.tried == args.count or self.next == len(self.chosen):
                return None
            self.tried += 1
            self.next += 1
            return self.chosen[self.next - 1]

    def suites(self, site):
        """The quickest first, but before all the one that is named after the file."""
        name, line = site[0], str(site[1] + 1)
        own = os.path.splitext(os.path.basename(name))[0]
        there = [s for s in self.reached.get(name, {}).get(line, []) if self.seconds[s] <= args.quick]
        return sorted(there, key=lambda s: s != own)

    def note(self, site, change, by):
        with self.lock:
            if by is None:  # it does not compile: another takes its place
                self.tried -= 1
            elif by:
                self.killed += 1
            else:
                self.survivors.append(site)
                print(f"SURVIVOR {site[0]}:{site[1] + 1}  ({len(self.suites(site))} suites)\n"
                      f"    - {change[0]}\n    + {change[1]}", flush=True)
            if by is not None and (self.killed + len(self.survivors)) % 20 == 0:
                print(f"{self.killed + len(self.survivors)} tried, {self.killed} killed", flush=True)

    def work(self, tree):
        good, log = make(tree, "build/o", "-O1 -g")
        if not good:
            sys.exit(log)
        while (site := self.take()) is not None:
            original, *change = mutate(tree, site)
            try:
                good, log = make(tree, "build/o", "-O1 -g")
                by = (fails(tree, self.suites(site)) or "") if good else None
            finally:
                with open(os.path.join(tree, site[0]), "w") as file:
                    file.write(original)
            self.note(site, change, by)


os.makedirs(here, exist_ok=True)
first = new_tree("tree")
seconds, reached = reach(first)
chosen = sites(first)
print(f"{len(chosen)} sites, seed {args.seed}", flush=True)
random.Random(args.seed).shuffle(chosen)
trials = Trials(chosen, seconds, reached)
workers = [threading.Thread(target=trials.work, args=(new_tree("tree" + (str(i) if i else "")),))
           for i in range(args.workers)]
for w in workers:
    w.start()
for w in workers:
    w.join()
print(f"{trials.tried} mutants, {trials.killed} killed, {len(trials.survivors)} survived (seed {args.seed})")
