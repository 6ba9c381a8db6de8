# SPDX-License-Identifier: MIT
ARGV.each { |argument| puts "[#{argument}]" }
