printf("Hello, World!\n");
name = input("Enter your name: ", "s");
printf("Hello, %s!\n", name);
total = sum(1:10);
printf("Sum of numbers from 1 to 10: %d\n", total);
printf("Magic 3x3 matrix:\n");
disp(magic(3));
