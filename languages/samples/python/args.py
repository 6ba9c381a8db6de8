import sys

for index, argument in enumerate(sys.argv[1:]):
    print(f"Arg {index}: {argument}")
