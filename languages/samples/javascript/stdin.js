const readline = require("readline");

console.log("Hello, World!");

const terminal = readline.createInterface({ input: process.stdin, output: process.stdout });

terminal.question("Enter your name: ", (name) => {
  console.log(`Hello, ${name}!`);
  let sum = 0;
  for (let i = 1; i <= 10; i++) {
    sum += i;
  }
  console.log(`Sum of numbers from 1 to 10: ${sum}`);
  process.exit(); // while its input is open Node would go on waiting for more
});
