% SPDX-License-Identifier: MIT
% stderr: max_recursion_depth
1;
function depth = deeper (depth)
  depth = deeper (depth + 1) + 1;
end
disp (deeper (0));
disp ("came back");
