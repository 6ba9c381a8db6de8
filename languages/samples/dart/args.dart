void main(List<String> arguments) {
  for (var i = 0; i < arguments.length; i++) {
    print('Arg $i: ${arguments[i]}');
  }
}
