# SPDX-License-Identifier: MIT
# stderr: SystemStackError|stack level too deep
def deeper(depth)
  deeper(depth + 1) + 1
end
puts deeper(0), "came back"
