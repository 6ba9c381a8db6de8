% SPDX-License-Identifier: MIT
arguments = argv ();
for i = 1:numel (arguments)
  printf ("[%s]\n", arguments{i});
end
