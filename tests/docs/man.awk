# Writes a manual page for each function to the directory `out`; functions that share a comment have pages that differ
# in their titles alone. `version` and `date` stand in the margins.

function roff(s) { # text that roff takes as it is
    gsub(/\\/, "\\e", s)
    gsub(/-/, "\\-", s)
    if (s ~ /^[.']/) s = "\\&" s
    return s
}
function sentence(text, name,    at) { # the first one, without the name before it
    gsub(/\n/, " ", text)
    gsub(/  +/, " ", text)
    sub(/^-.*- /, "", text)
    at = index(text, name)
    if (at) text = substr(text, at)
    sub(/^wg_[a-z0-9_]*(, _?[a-z0-9_]*)*:? */, "", text)
    if (match(text, /[.:;] /)) text = substr(text, 1, RSTART - 1)
    sub(/\.$/, "", text)
    return text == "" ? "see below" : text
}
function put_code(file, text,    n, line, i) {
    print ".nf" > file
    n = split(text, line, "\n")
    for (i = 1; i < n; i++) print (line[i] == "" ? "\\&" : roff(line[i])) > file
    print ".fi" > file
}
function verbatim(file, on) {
    if (on != in_verbatim) print (on ? ".nf" : ".fi") > file
    in_verbatim = on
}
function put_text(file, text,    n, line, what, i, s, any, gap) {
    sub(/^-+[^\n]*\n?(-+(\n|$))?/, "", text)
    n = read_lines(text, line, what)
    for (i = 1; i <= n; i++) {
        s = line[i]
        if (what[i] == "") { gap = 1; continue }
        verbatim(file, what[i] == "pre")
        if (what[i] != "pre") {
            sub(/^ */, "", s)
            if (any && (gap || what[i] != "text")) print ".PP" > file
            gap = 0
        }
        any = 1
        if (what[i] == "label") {
            print ".B " substr(s, 1, index(s, ":")) > file
            sub(/^[A-Z][a-z]+: */, "", s)
        }
        if (s != "") print roff(s) > file
    }
    verbatim(file, 0)
}
# Structs that the declarations name, each with its comment.
function put_types(file, i,    text, name, done, any) {
    text = code[i]
    while (match(text, /wg_[a-z0-9_]+/)) {
        name = substr(text, RSTART, RLENGTH)
        text = substr(text, RSTART + RLENGTH)
        if (name in done || !(name in home) || home[name] == i || code[home[name]] !~ /\{/ || functions[home[name]] != "") continue
        done[name] = 1
        if (!any++) print ".SH TYPES" > file
        else print ".PP" > file
        put_code(file, code[home[name]])
        if (comment[home[name]] != "") { print ".PP" > file; put_text(file, comment[home[name]]) }
    }
}
function put_general(file, i,    j, any) { # what the header says of all its functions
    for (j = 1; j <= n_items; j++) {
        if (header[j] != header[i] || kind[j] != "text" || comment[j] !~ /[a-z]/) continue
        if (comment[j] ~ /^---/ && comment[j] !~ /\n/) continue
        if (!any++) print ".SH GENERAL" > file
        else print ".PP" > file
        put_text(file, comment[j])
    }
}
function put_see_also(file, i,    j, n, name, list) {
    for (j = 1; j <= n_items && n < 12; j++)
        if (header[j] == header[i] && j != i && split(functions[j], name, " "))
            list = list (n++ ? " (3),\n" : "") ".BR " name[1]
    if (n) print ".SH SEE ALSO\n" list " (3)" > file
}
function title(file, name, volume) {
    print ".TH " name " " volume " \"" date "\" \"Wengert " version "\" \"Wengert\"" > file
}
function write_page(i, of,    n, name, file, j) {
    n = split(functions[i], name, " ")
    file = out "/" of ".3"
    title(file, of, 3)
    printf ".SH NAME\n" > file
    for (j = 1; j <= n; j++) printf("%s%s", j == 1 ? "" : ", ", name[j]) > file
    print " \\- " roff(sentence(comment[i], of)) > file
    print ".SH SYNOPSIS\n.B #include <wengert.h>\n.PP" > file
    put_code(file, code[i])
    print ".SH DESCRIPTION" > file
    put_text(file, comment[i])
    put_types(file, i)
    put_general(file, i)
    put_see_also(file, i)
    close(file)
}
function write_overview(    file, n, line, i, cell) {
    file = out "/wengert.3"
    title(file, "wengert", 3)
    print ".SH NAME\nwengert \\- automatic differentiation and small models in C" > file
    print ".SH SYNOPSIS\n.B #include <wengert.h>\n.PP\nLink with \\-lwengert \\-lm \\-lpthread." > file
    print ".SH DESCRIPTION\nEvery function has a page. Where to look, by task, in the headers of the source:" > file
    n = split(table["Where to find what"], line, "\n")
    for (i = 3; i < n; i++) {
        split(line[i], cell, "|")
        gsub(/`/, "", cell[2])
        gsub(/`|^ +| +$/, "", cell[3])
        sub(/^ +/, "", cell[2])
        print ".TP\n" roff(cell[2]) "\n" roff(cell[3]) > file
    }
    print ".SH FUNCTIONS" > file
    for (i = 1; i <= n_items; i++) if (functions[i] != "") print roff(functions[i]) > file
    close(file)
}
END {
    for (i = 1; i <= n_items; i++) {
        n = split(functions[i], name, " ")
        for (j = 1; j <= n; j++) write_page(i, name[j])
    }
    write_overview()
}
