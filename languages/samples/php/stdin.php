<?php
echo "Hello, World!\n";
echo "Enter your name: ";
$name = trim((string) fgets(STDIN));
echo "Hello, $name!\n";
echo "Sum of numbers from 1 to 10: " . array_sum(range(1, 10)) . "\n";
