% SPDX-License-Identifier: MIT
while true
end
