# SPDX-License-Identifier: MIT
# row: 52 setuid_bins
# expect: succeeded
# stdout: ^done$
# stdout: ^nosuid: yes$
# never: (uid=0|^0$)
# layer: root, identity, users
# The toolchains' tree is the host's /usr: such programs may lie there, and must give nothing.
for program in su sudo pkexec newuidmap newgidmap passwd chsh mount umount ping; do
    command -v "$program" > /dev/null || continue
    case $program in
    su) su -c "id -u" root ;;
    sudo | pkexec) "$program" id -u ;;
    newuidmap | newgidmap) "$program" $$ 0 0 1 && echo "ESCAPED $program" ;;
    passwd) passwd -d root && echo "ESCAPED passwd" ;;
    chsh) chsh -s /bin/sh root && echo "ESCAPED chsh" ;;
    mount) mount -t tmpfs none /tmp && echo "ESCAPED mount" ;;
    umount) umount /proc && echo "ESCAPED umount" ;;
    ping) ping -c 1 -W 1 1.1.1.1 && echo "ESCAPED ping" ;;
    esac
done < /dev/null 2> /dev/null
suid=$(awk '$6 !~ /nosuid/ { print $5 }' /proc/self/mountinfo | grep -v '^/dev/')
[ -z "$suid" ] && echo "nosuid: yes" || echo "ESCAPED: mounts without nosuid:" $suid
id -u | sed 's/^/id: /'
echo done
