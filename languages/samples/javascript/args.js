process.argv.slice(2).forEach((argument, index) => {
  console.log(`Arg ${index}: ${argument}`);
});
