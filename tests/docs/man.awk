# Writes a manual page for each function to the directory `out`; functions that share a comment have pages that differ
# in their titles alone. `version` and `date` stand in the margins.

# A header that a text names is a page: ops/loss.h is wengert-ops-loss(3).
function page_of(path) { gsub(/\//, "-", path); sub(/\.h$/, "", path); return "wengert-" path }
function referred(s,    result, token) {
    while (match(s, /[a-z0-9_]+(\/[a-z0-9_]+)+\.h/)) {
        token = substr(s, RSTART, RLENGTH)
        result = result substr(s, 1, RSTART - 1) (token in is_header ? page_of(token) "(3)" : token)
        s = substr(s, RSTART + RLENGTH)
    }
    return result s
}
function roff(s) { # text that roff takes as it is
    s = referred(s)
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
    if (match(text, /[^ ][.:;] /)) text = substr(text, 1, RSTART)
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
# Enumerators that a macro lists, each with its text.
function put_codes(file, text,    n, part, i) {
    print ".nf" > file
    n = split(text, part, "\n")
    for (i = 1; i <= n; i++) if (match(part[i], /X\(WG_[A-Z_]+, "/))
        printf("%-20s%s\n", substr(part[i], RSTART + 2, RLENGTH - 5), roff(substr(part[i], RSTART + RLENGTH, index(part[i], "\")") - RSTART - RLENGTH))) > file
    print ".fi" > file
}
function is_type(name) {
    return (name in home) && functions[home[name]] == "" && (code[home[name]] ~ /\{/ || code[home[name]] ~ /^typedef .*\(/)
}
# Types that the declarations name, and those of the same header that they name in turn, each with its
# comment; but for a tensor's, which is opaque but to ops.
function put_types(file, i,    text, name, at, done, any) {
    text = code[i]
    while (match(text, /wg_[a-z0-9_]+/)) {
        name = substr(text, RSTART, RLENGTH)
        text = substr(text, RSTART + RLENGTH)
        if (name == "wg_tensor" || name in done || !is_type(name) || home[name] == i) continue
        done[name] = 1
        at = home[name]
        if (header[at] == header[i]) text = text " " code[at]
        if (!any++) print ".SH TYPES" > file
        else print ".PP" > file
        if (match(code[at], /WG_[A-Z_]*LIST/)) put_codes(file, code[home[substr(code[at], RSTART, RLENGTH)]])
        else put_code(file, code[at])
        if (comment[at] != "") { print ".PP" > file; put_text(file, comment[at]) }
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
    print ".SH SEE ALSO\n" list (n ? " (3),\n" : "") ".BR " page_of(header[i]) " (3)" > file
}
function title(file, name, volume) {
    print ".TH " name " " volume " \"" date "\" \"Wengert " version "\" \"Wengert\"" > file
}
function write_page(i, of,    n, name, file, j) {
    n = split(names[i], name, " ")
    file = out "/" of ".3"
    title(file, of, 3)
    printf ".SH NAME\n" > file
    for (j = 1; j <= n; j++) printf("%s%s", j == 1 ? "" : ", ", name[j]) > file
    print " \\- " roff(comment[i] ~ /[a-z]/ ? sentence(comment[i], of) : "a type of " header[i]) > file
    print ".SH SYNOPSIS\n.B #include <wengert.h>\n.PP" > file
    put_code(file, code[i])
    if (comment[i] ~ /[a-z]/) print ".SH DESCRIPTION" > file
    put_text(file, comment[i])
    put_types(file, i)
    put_general(file, i)
    put_see_also(file, i)
    close(file)
}
# What a header says of all that is in it, with its types and constants, and its functions.
function write_header(path,    file, i, j, n, name, any) {
    file = out "/" page_of(path) ".3"
    title(file, page_of(path), 3)
    for (i = 1; i <= n_items && header[i] != path; i++) continue
    print ".SH NAME\n" roff(page_of(path)) " \\- a part of wengert.h\n.SH SYNOPSIS\n.B #include <wengert.h>" > file
    put_general(file, i)
    for (i = 1; i <= n_items; i++) {
        if (header[i] != path || kind[i] != "code" || functions[i] != "") continue
        print (any++ ? ".PP" : ".SH TYPES AND CONSTANTS") > file
        put_code(file, code[i])
        if (comment[i] ~ /[a-z]/) { print ".PP" > file; put_text(file, comment[i]) }
    }
    any = 0
    for (i = 1; i <= n_items; i++) {
        if (header[i] != path) continue
        n = split(functions[i], name, " ")
        for (j = 1; j <= n; j++) {
            if (!any++) print ".SH FUNCTIONS" > file
            print ".TP\n.BR " name[j] " (3)\n" roff(sentence(comment[i], name[j])) > file
        }
    }
    close(file)
}
function write_overview(    file, n, line, i, cell) {
    file = out "/wengert.3"
    title(file, "wengert", 3)
    print ".SH NAME\nwengert \\- automatic differentiation and small models in C" > file
    print ".SH SYNOPSIS\n.B #include <wengert.h>\n.PP\nLink with \\-lwengert \\-lm \\-lpthread." > file
    print ".SH DESCRIPTION\nEvery function has a page. Where to look, by task:" > file
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
    for (i = 1; i <= n_headers; i++) is_header[headers[i]] = 1
    for (i = 1; i <= n_items; i++) {
        n = split(names[i], name, " ")
        for (j = 1; j <= n; j++) if (home[name[j]] == i) write_page(i, name[j])
    }
    for (i = 1; i <= n_headers; i++) write_header(headers[i])
    write_overview()
}
