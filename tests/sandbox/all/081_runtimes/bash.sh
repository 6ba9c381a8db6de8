# SPDX-License-Identifier: MIT
# stdout: ^processes, sockets: work; none in this language: threads, collector$
set -e
for i in 1 2 3 4; do (sleep 0.1; echo "$i" > "part$i") & done
wait
[ "$(cat part? | paste -sd+ | tr -d '\n')" = 1+2+3+4 ]
mkfifo line
(echo through > line) &
read -r word < line
[ "$word" = through ]
trap 'caught=yes' USR1
kill -USR1 $$
[ "$caught" = yes ]
[ "$(printf '%s\n' c a b | sort | head -n 1)" = a ]
# It connects, and cannot listen: Perl does, which every Debian has.
coproc listener { perl -MIO::Socket::INET -e '$| = 1;
    $server = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die $!;
    print $server->sockport, "\n"; $peer = $server->accept; print $peer uc <$peer>'; }
read -r port <&"${listener[0]}"
exec 4<> "/dev/tcp/127.0.0.1/$port"
echo hello >&4
read -r word <&4
[ "$word" = HELLO ]
wait
exec 3<> /dev/shm/scratch
echo text >&3
[ "$(cat /dev/shm/scratch)" = text ]
find /usr/bin -maxdepth 1 -name 'e*' | xargs ls -l | awk '{ n++ } END { exit n == 0 }'
coproc cat
echo ping >&"${COPROC[1]}"
read -r word <&"${COPROC[0]}"
[ "$word" = ping ]
echo "processes, sockets: work; none in this language: threads, collector"
