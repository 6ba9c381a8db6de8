# SPDX-License-Identifier: MIT
# row: 56 nsenter
# expect: succeeded
# stdout: ^init's namespaces: hidden$
# stdout: ^own mount namespace: refused$
# stdout: ^done$
# layer: seccomp, identity, users
ls /proc/1/ns > /dev/null 2>&1 && echo "ESCAPED: init's are readable" || echo "init's namespaces: hidden"
for kind in mount=mnt uts=uts ipc=ipc net=net pid=pid cgroup=cgroup user=user; do
    nsenter --${kind%=*}=/proc/self/ns/${kind#*=} true 2> /dev/null &&
        echo "ESCAPED $kind" || echo "own ${kind%=*} namespace: refused"
    nsenter -t 1 --${kind%=*} true 2> /dev/null && echo "ESCAPED init's $kind"
done
echo done
