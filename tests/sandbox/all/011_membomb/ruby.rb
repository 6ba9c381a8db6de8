# SPDX-License-Identifier: MIT
# stdout: ^begun$
$stdout.sync = true
puts "begun"
hoard = []
hoard << "x" * (1 << 20) while hoard.size < 1 << 14
puts "ran out of ideas"
