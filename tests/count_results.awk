# awk -f count_results.awk WHAT_CTEST_PRINTED LastTest.log   ->   "passed failed skipped"
# A GoogleTest program counts by its test cases (and once as failed when it died without a failed
# one); any other ctest test counts once. Failed ones are named on standard error.

function finish() {
  if (name == "") return
  verdict = status[name]
  if (is_gtest) {
    passed += ok; failed += bad; skipped += skip
    if (verdict != "Passed" && verdict != "Skipped" && bad == 0) {
      failed++
      print "FAILED " name ": " verdict > "/dev/stderr"
    }
  } else if (verdict == "Passed") passed++
  else if (verdict == "Skipped" || verdict == "Disabled") skipped++
  else { failed++; print "FAILED " name ": " verdict > "/dev/stderr" }
  name = ""
}

function verdict_of(line) {
  if (line ~ / Passed /) return "Passed"
  if (line ~ /\*\*\*Skipped/) return "Skipped"
  if (line ~ /\(Disabled\)/) return "Disabled"
  if (line ~ /\*\*\*Timeout/) return "timed out"
  if (line ~ /\*\*\*Exception/) return "crashed"
  if (line ~ /\*\*\*Not Run/) return "could not be run"
  return "failed"
}

# "3/7 Test #3: name ......***Timeout   1.00 sec"
FNR == NR {
  if (match($0, /^ *[0-9]+\/[0-9]+ +Test +#[0-9]+: /)) {
    rest = substr($0, RLENGTH + 1)
    split(rest, words, " ")
    status[words[1]] = verdict_of(rest)
  }
  next
}

match($0, /^[0-9]+\/[0-9]+ Testing: /) {
  finish()
  name = substr($0, RLENGTH + 1)
  is_gtest = ok = bad = skip = 0
}
/\[==========\] Running / { is_gtest = 1 }
/\[       OK \] .*\([0-9]+ ms\)/ { ok++ }
/\[  SKIPPED \] .*\([0-9]+ ms\)/ { skip++ }
/\[  FAILED  \] .*\([0-9]+ ms\)/ {
  bad++
  print "FAILED " name ": " substr($0, index($0, "] ") + 2) > "/dev/stderr"
}
END { finish(); printf "%d %d %d\n", passed, failed, skipped }
