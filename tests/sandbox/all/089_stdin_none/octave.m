% SPDX-License-Identifier: MIT
if fgetl (stdin) == -1
  disp ("end of input");
end
