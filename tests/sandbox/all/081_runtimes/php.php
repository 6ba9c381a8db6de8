<?php
// SPDX-License-Identifier: MIT
// stdout: ^processes, collector, sockets: work; none in this language: threads$
function check(bool $holds, string $what): void
{
    if (!$holds)
        throw new RuntimeException($what);
}

check(shell_exec("echo hi") === "hi\n", "shell");
$child = proc_open(["/bin/cat"], [["pipe", "r"], ["pipe", "w"]], $pipes);
fwrite($pipes[0], "piped");
fclose($pipes[0]);
check(stream_get_contents($pipes[1]) === "piped", "process");
check(proc_close($child) === 0, "wait");
$server = stream_socket_server("tcp://127.0.0.1:0");
$client = stream_socket_client("tcp://" . stream_socket_get_name($server, false));
$peer = stream_socket_accept($server, 5);
fwrite($peer, "hello\n");
check(fgets($client) === "hello\n", "socket");
check(file_put_contents("file", "text") === 4, "file");
check(is_string(tempnam(sys_get_temp_dir(), "run")), "temporary file");
check(strlen(random_bytes(16)) === 16, "random");
for ($i = 0; $i < 300000; $i++)
    $garbage = [$i, &$garbage];
gc_collect_cycles();
usleep(1000);
echo "processes, collector, sockets: work; none in this language: threads\n";
