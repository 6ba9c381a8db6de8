# SPDX-License-Identifier: MIT
set -e
# "Threads": jobs; "sockets": a FIFO and a pipe.
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
exec 3<> /dev/shm/scratch
echo text >&3
[ "$(cat /dev/shm/scratch)" = text ]
find /usr/bin -maxdepth 1 -name 'e*' | xargs ls -l | awk '{ n++ } END { exit n == 0 }'
coproc cat
echo ping >&"${COPROC[1]}"
read -r word <&"${COPROC[0]}"
[ "$word" = ping ]
echo "threads, processes, collector, sockets: work"
