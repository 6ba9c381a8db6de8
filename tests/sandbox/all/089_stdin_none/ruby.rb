# SPDX-License-Identifier: MIT
puts "end of input" if gets.nil?
