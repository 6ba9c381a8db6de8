set -eu
echo "$undefined"
