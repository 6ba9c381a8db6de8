% SPDX-License-Identifier: MIT
% stdout: ^processes, sockets: work; none in this language: threads, collector$
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
% It asks, and cannot listen: Perl does, which every Debian has. fgetl looks beyond its line.
server = popen (["perl -MIO::Socket::INET -e '$| = 1; " ...
  "$server = IO::Socket::INET->new(Listen => 1, LocalAddr => \"127.0.0.1\") or die $!; " ...
  "print $server->sockport, qq(\\n\\n); $peer = $server->accept; 1 while <$peer> =~ /\\S/; " ...
  "print $peer qq(HTTP/1.0 200 OK\\r\\n\\r\\nhello)'"], "r");
port = fgetl (server);
assert (strcmp (urlread (["http://127.0.0.1:" port "/"]), "hello"));
pclose (server);
for i = 1:1000
  garbage = rand (100);
end
pause (0.01);
disp ("processes, sockets: work; none in this language: threads, collector");
