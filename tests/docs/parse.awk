# Reads what is documented, for html.awk, man.awk and check.awk, which write at the END. Of headers, items: item i is
#   kind[i] "text" (a comment that stands by itself) or "code" (declarations, with the comment before them),
#   header[i], comment[i] (without its stars), code[i], functions[i] and names[i], types among them (blanks between);
# home[name] is the item that declares a function, type, constant or macro, and headers[1..n_headers] the files.
# Of README.md its sections and their tables: section_text[SECTION], table[SECTION]. Of *.help what a program says of
# itself: help[FILE]. Of examples/*.c, chapters[1..n_chapters], the comment on top, prose[FILE],
# with what the program prints, and program[FILE].

# Splits a comment into line[1..n], returned, and says what each is: what[i] is "" (blank), "pre" (stands as it is),
# "label" ("Shape: ..."), "item" (set in, behind the end of a sentence), "new" (begins a paragraph) or "text" (goes on).
# Lines that go on with a label or an item are set in further, and not to be taken for code; one that is not goes on
# with it, too, where no sentence had ended.
function read_lines(text, line, what,    n, i, s, hanging, ended) {
    gsub(/   +(Shapes?|Bits|Derivatives?|Edges|Errors?|Notes?|Sources?):/, "\n&", text)
    n = split(text, line, "\n")
    hanging = ""
    ended = 1
    for (i = 1; i <= n; i++) {
        s = line[i]
        if (s ~ /^ *$/) { what[i] = hanging = ""; ended = 1; continue }
        if (s ~ /^ *(Shapes?|Bits|Derivatives?|Edges|Errors?|Returns|Cost|Notes?|State|Sources?|Mean|Metrics|Default|Cure):/) hanging = what[i] = "label"
        else if (hanging == "" && s ~ /^    |^  .*(<-|[^ .]   ?[^ ]| = )/) what[i] = "pre"
        else if (hanging != "label" && ended && s ~ /^  [^ ]/) hanging = what[i] = "item"
        else if (s !~ /^ / && hanging != "" && ended || s ~ /^(wg|WG)_[a-zA-Z0-9_]*(, [a-zA-Z0-9_]+)*: /) { what[i] = "new"; hanging = "" }
        else what[i] = "text"
        ended = s ~ /[.:;]$/ && s !~ /^ *[A-Z][a-z]*:$/
    }
    return n
}

function add_item(of) {
    n_items++
    kind[n_items] = of
    header[n_items] = FILENAME
    comment[n_items] = pending
    code[n_items] = functions[n_items] = names[n_items] = bare[n_items] = ""
    pending = ""
}

# The line without its comments; `open` remembers one that goes on.
function without_comments(line,    out, at) {
    out = ""
    while (line != "") {
        if (open) {
            at = index(line, "*/")
            if (!at) return out
            open = 0
            line = substr(line, at + 2)
        } else {
            at = index(line, "/*")
            if (!at) return out line
            out = out substr(line, 1, at - 1)
            open = 1
            line = substr(line, at + 2)
        }
    }
    return out
}

function declare(name) {
    if (name == "" || name in home) return
    home[name] = n_items
    if (name ~ /^wg_/ && names[n_items] !~ ("(^| )" name "($| )")) names[n_items] = names[n_items] (names[n_items] == "" ? "" : " ") name
}

# A name is declared where a statement without its braces ends in it, or has it before its first parenthesis.
function end_item(    text, n, part, i, s, name, k, words) {
    if (!inside) return
    inside = depth = open = 0
    text = bare[n_items]
    s = text
    while (match(s, /WG_[A-Z0-9_]+/)) { # enumerators and macros: where they first stand in code
        if (text ~ /enum|#define/) declare(substr(s, RSTART, RLENGTH))
        s = substr(s, RSTART + RLENGTH)
    }
    if (match(text, /(^|\n)struct wg_[a-z0-9_]+ \{/)) { # what was but declared before
        name = substr(text, RSTART, RLENGTH)
        gsub(/^\n?struct | \{$/, "", name)
        if (name in home) { # and is no name of that item any more
            k = home[name]
            names[k] = " " names[k] " "
            sub(" " name " ", " ", names[k])
            gsub(/^ | $/, "", names[k])
            delete home[name]
        }
        declare(name)
    }
    gsub(/#[^\n]*\\\n([^\n]*\\\n)*[^\n]*/, "", text)
    gsub(/#[^\n]*/, "", text)
    while (gsub(/\{[^{}]*\}/, "", text)) continue
    n = split(text, part, ";")
    for (i = 1; i <= n; i++) {
        s = part[i]
        gsub(/[ \n]+/, " ", s)
        if (s ~ /^ ?typedef .*\(/) { sub(/\(.*/, "", s); sub(/.*[ *]/, "", s); declare(s) }
        else if (s ~ /^ ?typedef /) { sub(/.*[ *]/, "", s); declare(s) }
        else if (s ~ /^ ?extern const /) {
            sub(/^ ?extern const [a-z_]+ /, "", s)
            k = split(s, words, /, */)
            for (name = 1; name <= k; name++) declare(words[name])
        } else if (match(s, /wg_[a-z0-9_]+ ?\(/)) {
            name = substr(s, RSTART, RLENGTH)
            sub(/ ?\(/, "", name)
            declare(name)
            functions[n_items] = functions[n_items] (functions[n_items] == "" ? "" : " ") name
        }
    }
}

FILENAME ~ /\.md$/ {
    if (/^## /) section = substr($0, 4)
    else section_text[section] = section_text[section] $0 "\n"
    if (/^\|/) table[section] = table[section] $0 "\n"
    next
}
FILENAME ~ /\.help$/ { help[FILENAME] = help[FILENAME] $0 "\n"; next }
FILENAME ~ /\.c$/ {
    if (FNR == 1) { chapters[++n_chapters] = FILENAME; on_top = 1 }
    line = $0
    if (!on_top) { program[FILENAME] = program[FILENAME] line "\n"; next }
    if (line ~ /\*\//) on_top = 0
    sub(/ *\*\/.*/, "", line)
    sub(/^(\/\*| \*) ?/, "", line)
    prose[FILENAME] = prose[FILENAME] line "\n"
    next
}
FNR == 1 {
    end_item()
    headers[++n_headers] = FILENAME
    in_comment = cxx = after_comment = 0
    pending = ""
}
in_comment {
    done = index($0, "*/")
    line = $0
    sub(/ *\*\/.*/, "", line)
    sub(/^ \* ?/, "", line)
    pending = pending "\n" line
    if (done) { in_comment = 0; after_comment = 1 }
    next
}
!depth && /^#ifdef __cplusplus/ { end_item(); cxx = 1; next }
cxx && /^#(else|endif)/ { cxx = 0; next }
cxx { next }
!depth && /^#(include|if|else|elif|endif|undef|pragma)|^#define WG_[A-Z_]*_H$/ { next }
!depth && /^\/\*/ {
    end_item()
    if (after_comment) add_item("text")
    after_comment = 0
    line = $0
    sub(/^\/\* ?/, "", line)
    if (!sub(/ *\*\/.*/, "", line)) in_comment = 1
    else after_comment = 1
    pending = line
    next
}
!depth && /^[ \t]*$/ {
    end_item()
    if (after_comment) add_item("text")
    after_comment = 0
    next
}
{
    if (!inside) { add_item("code"); inside = 1; after_comment = 0 }
    code[n_items] = code[n_items] $0 "\n"
    line = without_comments($0)
    bare[n_items] = bare[n_items] line "\n"
    depth += gsub(/\{/, "", line) - gsub(/\}/, "", line)
}
END { end_item() }
