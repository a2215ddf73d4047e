#!/usr/bin/env python3
"""Do the tests see?  Makes mutants of autograd/, ops/ and models/, one at a time (an operator, a constant, a
condition, a statement that is dropped), rebuilds what changes, and runs the suites that reach the line,
until one fails.  Survivors are printed with what was changed.

    tests/mutate.py [--seed N] [--count N] [--build DIR] [--only PREFIX] [--at FILE:LINE] [--quick SECONDS]

A copy of the tree in DIR is what is changed.  Which suite reaches which line is asked of gcov first, and kept
there; --quick leaves out those that then took longer.  Mutants that do not compile are replaced by others; a line that no suite reaches is a survivor."""
import argparse, glob, gzip, json, os, random, re, shutil, subprocess, sys, time

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=1)
ap.add_argument("--count", type=int, default=300)
ap.add_argument("--build", default="build/mutants")
ap.add_argument("--only", default="")
ap.add_argument("--at", default="")
ap.add_argument("--quick", type=float, default=1e9)
args = ap.parse_args()

tree = os.path.abspath(os.path.join(args.build, "tree"))
FOLDERS = ("autograd", "ops", "models")
ENV = dict(os.environ, CK_DEFAULT_TIMEOUT="20", WENGERT_BASELINE="")


def run(command, timeout=900, cwd=tree, env=ENV):
    return subprocess.run(command, cwd=cwd, env=env, timeout=timeout, shell=isinstance(command, str),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")


def make(build, cflags):
    done = run(["make", "-j2", f"BUILD={build}", f"CFLAGS={cflags}", f"{build}/tests/run"])
    return done.returncode == 0, done.stdout


# ---- Which suites reach which lines ------------------------------------------------------------------

def reach():
    """{suite: seconds}, {file: {line: [suite, ...]}}, the quickest suite first."""
    kept = os.path.join(tree, "..", "reach.json.gz")
    if os.path.exists(kept):
        with gzip.open(kept, "rt") as file:
            return json.load(file)
    good, log = make("build/cov", "-O0 -g --coverage -fprofile-update=atomic")
    if not good:
        sys.exit(log)
    suites = run(["build/cov/tests/run", "-l"]).stdout.split()
    seconds, lines = {}, {}
    for suite in suites:
        for old in glob.glob(tree + "/build/cov/**/*.gcda", recursive=True):
            os.remove(old)
        start = time.time()
        run(["build/cov/tests/run", suite], env=dict(ENV, CK_DEFAULT_TIMEOUT="200"))
        seconds[suite] = time.time() - start
        data = [f for d in FOLDERS for f in glob.glob(f"{tree}/build/cov/obj/{d}/**/*.gcda", recursive=True)]
        if not data:
            continue
        out = run(["gcov", "--json-format", "--stdout"] + data).stdout
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


def sites():
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


def mutate(site):
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


def fails(suites):
    for suite in suites:
        try:
            if run(["build/plain/tests/run", suite], timeout=240).returncode != 0:
                return suite
        except subprocess.TimeoutExpired:
            return suite
    return None


os.makedirs(args.build, exist_ok=True)
if not os.path.exists(tree):
    shutil.copytree(".", tree, ignore=shutil.ignore_patterns("build*", ".git"))
seconds, reached = reach()
good, log = make("build/plain", "-O1")
if not good:
    sys.exit(log)
chosen = sites()
print(f"{len(chosen)} sites, seed {args.seed}", flush=True)
random.Random(args.seed).shuffle(chosen)
killed, survivors, tried = 0, [], 0
for site in chosen:
    if tried == args.count:
        break
    original, old, new = mutate(site)
    where = f"{site[0]}:{site[1] + 1}"
    try:
        good, log = make("build/plain", "-O1")
        if not good:
            continue
        tried += 1
        suites = [s for s in reached.get(site[0], {}).get(str(site[1] + 1), []) if seconds[s] <= args.quick]
        by = fails(suites)
        if by:
            killed += 1
        else:
            survivors.append(where)
            print(f"SURVIVOR {where}  ({len(suites)} suites)\n    - {old}\n    + {new}", flush=True)
    finally:
        with open(os.path.join(tree, site[0]), "w") as file:
            file.write(original)
    if tried % 20 == 0:
        print(f"{tried} tried, {killed} killed", flush=True)
print(f"{tried} mutants, {killed} killed, {len(survivors)} survived (seed {args.seed})")
sys.exit(0)
