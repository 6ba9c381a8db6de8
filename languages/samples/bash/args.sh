index=0
for argument in "$@"; do
    echo "Arg $index: $argument"
    index=$((index + 1))
done
