% SPDX-License-Identifier: MIT
% stdout: ^begun$
disp ("begun");
fflush (stdout);
hoard = {};
while numel (hoard) < 2^14
  hoard{end + 1} = ones (1, 2^17);
end
disp ("ran out of ideas");
