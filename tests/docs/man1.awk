# Prints the manual page of a program from what its --help says: a usage line, prose, options set in by two blanks.
# `name`, `about` (a few words), `see` (another page), `version` and `date`.
function roff(s) { gsub(/\\/, "\\e", s); gsub(/-/, "\\-", s); return s ~ /^[.']/ ? "\\&" s : s }
FNR == 1 {
    print ".TH " name " 1 \"" date "\" \"Wengert " version "\" \"Wengert\"\n.SH NAME\n" name " \\- " about "\n.SH SYNOPSIS"
    sub(/^usage: [a-z-]+ */, "")
    print ".B " name "\n" roff($0) "\n.SH DESCRIPTION"
    next
}
/^  -/ {
    if (!options++) print ".SH OPTIONS"
    print ".TP"
    line = substr($0, 3)
    if (match(line, /  +/)) { print ".B " roff(substr(line, 1, RSTART - 1)); print roff(substr(line, RSTART + RLENGTH)) }
    else print ".B " roff(line)
    next
}
{ sub(/^ +/, ""); if ($0 != "") print roff($0) }
END { print ".SH EXIT STATUS\n0 where all went well, 1 for a failure, 2 for a wrong command line.\n.SH SEE ALSO\n" see }
