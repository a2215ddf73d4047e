# Prints every public function whose own comment does not name it: as wg_item, or as _item after a longer name.
function named(name, text,    at) {
    text = " " text " "
    if (text ~ ("[^a-z0-9_]" name "[^a-z0-9_]")) return 1
    at = name
    while (sub(/^[a-z0-9]+_/, "", at)) if (text ~ ("[^a-z0-9_]_" at "[^a-z0-9_]")) return 1
    return 0
}
END {
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
