# One row of the bench's table, from lines of "row TAB side TAB value".
#
# row, what, decimals: which one, how it is called, how it is written
# name:                what kmk is compared with, if anything
# of, operator, goal:  what the goal is for, `ratio` of the medians or `median` of kmk's; empty where there is none
BEGIN { FS = "\t" }

$1 == row { value[$2, ++count[$2]] = $3 + 0 }

END {
  sort("kmk")
  printf "| %s | %s", what, spread("kmk")
  if (name != "") {
    sort("other")
    ratio = median("kmk") / median("other")
    printf " | %s: %s | %.2f", name, spread("other"), ratio
  } else printf " | |"
  if (of != "") printf " | %s %s | %s |\n", sign(), goal, met() ? "yes" : "no"
  else print " | | |"
}

function met(  reached) {
  reached = of == "ratio" ? ratio : median("kmk")
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
