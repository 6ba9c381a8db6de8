echo "Hello, World!"
printf 'Enter your name: '
read -r name
echo "Hello, $name!"
sum=0
for i in {1..10}; do
    sum=$((sum + i))
done
echo "Sum of numbers from 1 to 10: $sum"
