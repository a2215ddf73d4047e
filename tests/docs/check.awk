# Prints every public function whose own comment does not name it, as wg_item, or as _item after a longer name, and
# every name in the texts that is none.
function named(name, text,    at) {
    text = " " text " "
    if (text ~ ("[^a-z0-9_]" name "[^a-z0-9_]")) return 1
    at = name
    while (sub(/^[a-z0-9]+_/, "", at)) if (text ~ ("[^a-z0-9_]_" at "[^a-z0-9_]")) return 1
    return 0
}
# Every wg_name in a text must be one that a header declares.
function check_text(where, text,    name) {
    while (match(text, /(^|[^a-zA-Z0-9_])wg_[a-z0-9_]*[a-z0-9]([^a-zA-Z0-9_*]|$)/)) {
        name = substr(text, RSTART, RLENGTH)
        text = substr(text, RSTART + RLENGTH - 1)
        gsub(/[^a-z0-9_]/, "", name)
        if (!(name in known)) { print where ": there is no " name; bad = 1 }
    }
}
function learn(text) {
    while (match(text, /wg_[a-z0-9_]+/)) {
        known[substr(text, RSTART, RLENGTH)] = 1
        text = substr(text, RSTART + RLENGTH)
    }
}
END {
    for (i = 1; i <= n_items; i++) learn(bare[i])
    for (i = 1; i <= n_items; i++) check_text(header[i], comment[i] "\n" code[i])
    for (path in prose) check_text(path, prose[path])
    for (path in section_text) check_text("README.md: " path, section_text[path])
    for (i = 1; i <= n_items; i++) {
        n = split(functions[i], name, " ")
        for (j = 1; j <= n; j++) {
            count++
            if (!named(name[j], comment[i])) { print header[i] ": " name[j] " has no comment that names it"; bad = 1 }
            if (n > STRICT && STRICT) shared++
        }
    }
    if (!bad) print "docs: " count " functions have a comment"
    exit bad
}
