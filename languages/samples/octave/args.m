arguments = argv();
for index = 1:numel(arguments)
  printf("Arg %d: %s\n", index - 1, arguments{index});
end
