# A stage: adds f_range, where the close lies between the lowest and the highest price of its segment so far, in [0, 1].
#
#     mes-bars --header day.csv | awk -W interactive -f tests/stages/range.awk | mes-predict --rule ema-cross
#     mes-check stage -- awk -W interactive -f tests/stages/range.awk
#
# Rows are JSON lines and stay as they are but for what is added. `fflush` hands a row on before the next is read; mawk
# needs `-W interactive` to read a row as soon as it is there. A first line that does not begin with `ts` is the header: it
# goes on with one more link in the chain of what made the rows.

function value(name) {
    match($0, "\"" name "\":[^,}]*")
    return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) + 0
}

NR == 1 && !/^{"ts":/ {
    if (!sub(/\]}$/, ",{\"tool\":\"range.awk\",\"settings\":{}}]}")) {
        print "range.awk: a header that does not end with a chain to add to" > "/dev/stderr"
        exit 3
    }
    print
    fflush()
    next
}

{
    if (seg == "" || value("seg") != seg) { seg = value("seg"); low = value("low"); high = value("high") }
    if (value("low") < low) low = value("low")
    if (value("high") > high) high = value("high")
    x = high > low ? (value("close") - low) / (high - low) : 0.5
    sub(/}$/, sprintf(",\"f_range\":%.17g}", x))
    print
    fflush()
}
