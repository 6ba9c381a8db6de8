% SPDX-License-Identifier: MIT
matrix = magic (100);
assert (abs (det (matrix (1:3, 1:3))) > 0);
assert (norm (inv (matrix + eye (100) * 1e6) * (matrix + eye (100) * 1e6) - eye (100)) < 1e-6);
[status, output] = system ("echo hi");
assert (status == 0 && strcmp (output, "hi\n"));
name = tempname ();
file = fopen (name, "w");
fputs (file, "text");
fclose (file);
assert (strcmp (fileread (name), "text"));
for i = 1:1000
  garbage = rand (100);
end
pause (0.01);
disp ("threads, processes, collector, sockets: work");
