blocks = []
loop { blocks << "x" * 1_048_576 }
