# One row of the bench's tables, from lines of "row TAB side TAB value".
#
# row, what, decimals: which one, how it is called, how it is written
# sides:               who was measured, `kmk` or several: a cell each; empty cells where it says `-`
# names:               what stands before their numbers, by side, a word or `-` each
# of, operator, goal:  what the goal is for, `ratio` of the first side's median to the last one's, or `median` of the
#                      first; empty where there is none
BEGIN { FS = "\t" }

$1 == row { value[$2, ++count[$2]] = $3 + 0 }

END {
  last = split(sides, side, " ")
  split(names, name, "|")
  printf "| %s |", what
  for (i = 1; i <= last; i++) {
    if (side[i] == "-") { printf " |"; continue }
    sort(side[i])
    printf " %s%s |", name[i] == "" || name[i] == "-" ? "" : name[i] ": ", spread(side[i])
  }
  if (last > 1 && side[last] != "-") {
    ratio = median(side[1]) / median(side[last])
    printf " %.2f |", ratio
  } else printf " |"
  if (of != "") printf " %s %s | %s |\n", sign(), goal, met() ? "yes" : "no"
  else print " | |"
}

function met(  reached) {
  reached = of == "ratio" ? ratio : median(side[1])
  return operator == ">=" ? reached >= goal : operator == "<=" ? reached <= goal : reached < goal
}

function sign() { return operator == ">=" ? "≥" : operator == "<=" ? "≤" : "<" }

function sort(side,  i, j, kept) {
  for (i = 2; i <= count[side]; i++) {
    kept = value[side, i]
    for (j = i - 1; j >= 1 && value[side, j] > kept; j--) value[side, j + 1] = value[side, j]
    value[side, j + 1] = kept
  }
}

function median(side,  n) {
  n = count[side]
  return (value[side, int((n + 1) / 2)] + value[side, int((n + 2) / 2)]) / 2
}

function spread(side) {
  return number(value[side, 1]) " / **" number(median(side)) "** / " number(value[side, count[side]])
}

# 1234567 as 1,234,567
function number(n,  text, end) {
  text = sprintf("%." decimals "f", n)
  if (decimals > 0) return text
  for (end = length(text) - 3; end > 0; end -= 3) text = substr(text, 1, end) "," substr(text, end + 1)
  return text
}
