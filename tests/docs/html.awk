# Writes what parse.awk has read as HTML to the directory `out`: index.html, a page a header, a chapter an example.
# `pictures` lists pairs CHAPTER=FILE.svg.

function escape(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s); return s }
function page(path) { gsub(/\//, "-", path); sub(/\.h$/, ".html", path); return path }
function breakable(path) { gsub(/\//, "/<wbr>", path); return path } # on a narrow page

# Names that the reference explains become links, but for `self`; so do headers.
function linked(s, self,    result, token, before) {
    result = ""
    while (match(s, /[A-Za-z0-9_]+(\/[a-z0-9_]+)*(\.h)?/)) {
        before = substr(s, 1, RSTART - 1)
        token = substr(s, RSTART, RLENGTH)
        s = substr(s, RSTART + RLENGTH)
        result = result escape(before)
        if (token == self) result = result "<b>" token "</b>"
        else if (token in home) result = result "<a href=\"" page(header[home[token]]) "#" anchor(home[token]) "\">" token "</a>"
        else if (token in is_header) result = result "<a href=\"" page(token) "\">" breakable(token) "</a>"
        else result = result escape(token)
    }
    return result escape(s)
}

# The same with `words` as code.
function ticked(s,    result, before, code) {
    result = ""
    while (match(s, /`[^`]+`/)) {
        before = substr(s, 1, RSTART - 1)
        code = substr(s, RSTART + 1, RLENGTH - 2)
        s = substr(s, RSTART + RLENGTH) # linked() matches, too
        result = result linked(before) "<code>" linked(code) "</code>"
    }
    return result linked(s)
}

# Code with its comments set apart, and once more what sets their lines in; the end of a line belongs to the comment
# before it.
function code_html(text,    n, line, i, s, at, on, result, end) {
    n = split(text, line, "\n")
    for (i = 1; i <= n; i++) {
        if (i == n && line[i] == "") break
        s = line[i]
        end = "\n"
        if (on && match(s, /^ +(\* )?/)) {
            result = result "<s>" substr(s, 1, RLENGTH) "</s>"
            s = substr(s, RLENGTH + 1)
        }
        while (s != "") {
            at = on ? index(s, "*/") : index(s, "/*")
            if (!at) { result = result linked(s); break }
            if (on) {
                result = result linked(substr(s, 1, at + 1))
                s = substr(s, at + 2)
                if (s == "") { result = result end; end = "" }
                result = result "</i>"
            } else {
                result = result linked(substr(s, 1, at - 1)) "<i>/*"
                s = substr(s, at + 2)
            }
            on = !on
        }
        result = result end
    }
    return "<pre class=code>" result (on ? "</i>" : "") "</pre>\n"
}

function without_indent(text,    n, line, i, least, result) { # what all lines begin with
    n = split(text, line, "\n")
    least = 99
    for (i = 1; i <= n; i++) if (match(line[i], /[^ ]/) && RSTART - 1 < least) least = RSTART - 1
    for (i = 1; i < n; i++) result = result substr(line[i], least + 1) "\n"
    return result
}
function close_block() {
    if (block == "pre") result_ = result_ without_indent(listing)
    listing = ""
    sub(/\n+$/, "\n", result_)
    if (block != "") result_ = result_ "</" block ">\n"
    block = ""
}
function open_block(tag, class) {
    if (block == tag && tag == "pre") return
    close_block()
    result_ = result_ "<" tag (class != "" ? " class=" class : "") ">"
    block = tag
}
function text_html(text,    n, line, what, i, s) {
    result_ = block = ""
    n = read_lines(text, line, what)
    for (i = 1; i <= n; i++) {
        s = line[i]
        if (what[i] == "") {
            if (block == "pre") listing = listing "\n"
            else close_block()
        } else if (what[i] == "pre") {
            open_block("pre", "")
            listing = listing linked(s) "\n"
        } else if (what[i] == "label") {
            open_block("p", "label")
            match(s, /^ *[A-Z][a-z]*:/)
            result_ = result_ "<b>" substr(s, RSTART, RLENGTH) "</b>" ticked(substr(s, RSTART + RLENGTH)) "\n"
        } else {
            if (what[i] != "text" || block == "pre" || block == "") open_block("p", what[i] == "item" ? "label" : "")
            result_ = result_ ticked(s) "\n"
        }
    }
    close_block()
    return result_
}

function top(file, title) {
    print "<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n<meta name=viewport content=\"width=device-width, initial-scale=1\">" > file
    print "<title>" escape(title) " &middot; Wengert</title>\n<link rel=stylesheet href=style.css>" > file
    print "<nav><a href=index.html>Wengert " version "</a> <a href=index.html#start>start</a> <a href=index.html#headers>headers</a> <a href=index.html#functions>functions</a> <a href=index.html#chapters>chapters</a></nav>\n<main>" > file
}
function bottom(file) { print "</main>\n</html>" > file; close(file) }

function anchor(i,    words) {
    return split(names[i], words, " ") ? words[1] : "item" i
}
function write_item(file, i,    n, name, j, text, first) {
    text = comment[i]
    if (text ~ /^---/) {
        first = text
        sub(/\n.*/, "", first)
        sub(/^-+ */, "", first)
        sub(/\.? *-+$/, "", first)
        if (text !~ /\n/) text = ""
        else sub(/^[^\n]*\n(-+(\n|$))?/, "", text)
        if (first ~ /\. /) { text = substr(first, index(first, ". ") + 2) "\n" text; first = substr(first, 1, index(first, ". ") - 1) }
        sub(/ *-+$/, "", text)
        print "<h2>" escape(first) "</h2>" > file
    }
    if (kind[i] == "text") { print text_html(text) > file; return }
    print "<section id=\"" anchor(i) "\">" > file
    n = split(names[i], name, " ")
    if (n) {
        printf "<h3>" > file
        for (j = 1; j <= n; j++) printf("%s<span%s>%s</span>", j == 1 ? "" : ", ", j == 1 ? "" : " id=\"" name[j] "\"", name[j]) > file
        print "</h3>" > file
    }
    print code_html(code[i]) text_html(text) "</section>" > file
}

function write_header(path,    file, i, j, n, name, list, count) {
    file = out "/" page(path)
    top(file, path)
    print "<h1>" breakable(path) "</h1>" > file
    for (i = 1; i <= n_items; i++) {
        if (header[i] != path) continue
        n = split(functions[i], name, " ")
        for (j = 1; j <= n; j++) list = list "<a href=\"#" name[j] "\">" name[j] "</a> "
        count += n
    }
    if (count > 3) print "<p class=list>" list "</p>" > file
    for (i = 1; i <= n_items; i++) if (header[i] == path) write_item(file, i)
    bottom(file)
}

function first_sentence(text) {
    gsub(/\n/, " ", text)
    sub(/^-+ */, "", text)
    sub(/ *-+ *$/, "", text)
    gsub(/  +/, " ", text)
    if (match(text, /[^ ]\. /)) text = substr(text, 1, RSTART)
    sub(/\.$/, "", text)
    return text
}

# ---- README: its table from tasks to headers, and its sections that are pages. ----

function inline(s,    result, before, at) { # of Markdown: `code`, **strong**, [text](link)
    result = ""
    while (match(s, /`[^`]*`|\*\*[^*]*\*\*|\[[^\]]*\]\([^)]*\)/)) {
        before = substr(s, 1, RSTART - 1)
        at = substr(s, RSTART, RLENGTH)
        s = substr(s, RSTART + RLENGTH)
        result = result linked(before)
        if (at ~ /^`/) result = result "<code>" linked(substr(at, 2, length(at) - 2)) "</code>"
        else if (at ~ /^\*/) result = result "<b>" linked(substr(at, 3, length(at) - 4)) "</b>"
        else { sub(/^\[/, "", at); sub(/\].*/, "", at); result = result escape(at) }
    }
    return result linked(s)
}
function row_html(line, tag,    n, cell, i, s) {
    gsub(/\\\|/, "\001", line)
    n = split(line, cell, "|")
    s = "<tr>"
    for (i = 2; i < n; i++) { gsub(/\001/, "|", cell[i]); s = s "<" tag ">" inline(cell[i]) "</" tag ">" }
    return s "</tr>"
}
function markdown_table(text,    n, line, i, s) {
    n = split(text, line, "\n")
    s = "<div class=wide><table>\n"
    for (i = 1; i <= n; i++) {
        if (line[i] == "" || line[i] ~ /^\|[-|: ]*$/) continue
        s = s row_html(line[i], i == 1 ? "th" : "td") "\n"
    }
    return s "</table></div>\n"
}
function markdown(text,    n, line, i, s, code, open) {
    n = split(text, line, "\n")
    for (i = 1; i <= n; i++) {
        if (line[i] ~ /^```/) {
            s = s (open ? "</p>\n" : "") (code ? "</pre>\n" : "<pre class=code>")
            code = !code
            open = 0
        } else if (code) s = s linked(line[i]) "\n"
        else if (line[i] == "") { s = s (open ? "</p>\n" : ""); open = 0 }
        else { s = s (open ? "" : "<p>") inline(line[i]) "\n"; open = 1 }
    }
    return s
}

# ---- Programs: what they say of themselves. ----

function write_program(path,    name, file, n, line, i, s, at, options) {
    name = path
    sub(/.*\//, "", name)
    sub(/\.help$/, "", name)
    file = out "/" name ".html"
    top(file, name)
    print "<h1>" name "</h1>" > file
    n = split(help[path], line, "\n")
    sub(/^usage: [^ ]*/, name, line[1])
    print "<pre class=code>" escape(line[1]) "</pre>\n<p>" > file
    for (i = 2; i < n; i++) {
        s = line[i]
        if (s !~ /^  -/) { sub(/^ +/, "", s); print escape(s) > file; continue }
        if (!options++) print "</p>\n<h2>Options</h2>\n<dl>" > file
        s = substr(s, 3)
        at = match(s, /  +/)
        print "<dt><code>" escape(at ? substr(s, 1, at - 1) : s) "</code></dt><dd>" > file
        if (at) print escape(substr(s, at + RLENGTH)) > file
    }
    print (options ? "</dl>" : "</p>") "\n<p>Exit status: 0 where all went well, 1 for a failure, 2 for a wrong command line.</p>" > file
    bottom(file)
    return name
}

# ---- Examples: what stands on top is prose, with what the program prints; the program follows. ----

function chapter_name(path) { sub(/.*\//, "", path); sub(/\.c$/, "", path); return path }
function turn(word, k) { # a link to chapter k, if there is one
    return k in chapters ? "<a href=chapter-" chapter_name(chapters[k]) ".html>" word ": " chapter_name(chapters[k]) "</a> " : ""
}
function write_chapter(k,    path, name, file, i, n, picture) {
    path = chapters[k]
    name = chapter_name(path)
    file = out "/chapter-" name ".html"
    top(file, name)
    print "<h1>" name "</h1>\n" text_html(prose[path]) > file
    n = split(pictures, picture, " ")
    for (i = 1; i <= n; i++) if (index(picture[i], name "=") == 1)
        print "<p><img src=\"" substr(picture[i], length(name) + 2) "\" alt=\"drawn by a program of examples/\"></p>" > file
    print "<h2>" path "</h2>\n" code_html(program[path]) > file
    print "<p class=turn>" turn("before", k - 1) turn("next", k + 1) "</p>" > file
    bottom(file)
}

function sort_names(name, n,    i, j, x) { # insertion
    for (i = 2; i <= n; i++) {
        x = name[i]
        for (j = i - 1; j >= 1 && name[j] > x; j--) name[j + 1] = name[j]
        name[j + 1] = x
    }
}

function write_index(    path, programs, file, i, j, n, name, all, m, intro, folder, last) {
    file = out "/index.html"
    top(file, "reference")
    print "<h1>Wengert</h1>\n<p>A reference made from the comments in the headers, and the tutorial made from the programs in <code>examples/</code>. <code>#include &lt;wengert.h&gt;</code> is all that a program needs.</p>" > file
    print "<h2 id=start>Install, compile, run</h2>\n" markdown(section_text["In your own program"]) > file
    print "<p>Manual pages: <code>man wengert</code>, and one for each function. Programs:" > file
    for (path in help) programs = programs " <a href=" write_program(path) ".html>" chapter_name(path) "</a>"
    gsub(/\.help/, "", programs)
    print programs ".</p>" > file
    print "<h2 id=tasks>Where to find what</h2>\n" markdown_table(table["Where to find what"]) > file
    if (table["From PyTorch and NumPy"] != "") print "<h2 id=from>From PyTorch and NumPy to Wengert</h2>\n" markdown_table(table["From PyTorch and NumPy"]) > file
    print "<h2 id=chapters>The tutorial, chapter by chapter</h2>\n<ol class=chapters>" > file
    for (i = 1; i <= n_chapters; i++) {
        if (chapter_name(chapters[i]) !~ /^[0-9]/ && last ~ /^[0-9]/) print "</ol>\n<h2>Programs that go further</h2>\n<ul class=chapters>" > file
        last = chapter_name(chapters[i])
        print "<li><a href=chapter-" last ".html>" last "</a> " escape(first_sentence(prose[chapters[i]])) "</li>" > file
    }
    print (last ~ /^[0-9]/ ? "</ol>" : "</ul>") "\n<h2 id=headers>Headers</h2>\n<dl>" > file
    for (i = 1; i <= n_headers; i++) {
        printf "<dt><a href=%s>%s</a></dt><dd>", page(headers[i]), headers[i] > file
        for (j = 1; j <= n_items; j++) {
            if (header[j] != headers[i]) continue
            n = split(functions[j], name, " ")
            for (m = 1; m <= n; m++) {
                all[++total] = name[m]
                printf "<a href=\"%s#%s\">%s</a> ", page(header[j]), anchor(j), name[m] > file
            }
        }
        print "</dd>" > file
    }
    print "</dl>\n<h2 id=functions>All " total " functions</h2>\n<p class=all>" > file
    sort_names(all, total)
    for (i = 1; i <= total; i++)
        print "<a href=\"" page(header[home[all[i]]]) "#" anchor(home[all[i]]) "\">" all[i] "</a>" > file
    print "</p>" > file
    bottom(file)
}

END {
    for (i = 1; i <= n_headers; i++) is_header[headers[i]] = 1
    for (i = 1; i <= n_headers; i++) write_header(headers[i])
    for (i = 1; i <= n_chapters; i++) write_chapter(i)
    write_index()
}
