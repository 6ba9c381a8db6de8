while :; do
    :
done
