import 'dart:io';

void main() {
  print('Hello, World!');
  stdout.write('Enter your name: ');
  final name = stdin.readLineSync() ?? '';
  print('Hello, $name!');
  var sum = 0;
  for (var i = 1; i <= 10; i++) {
    sum += i;
  }
  print('Sum of numbers from 1 to 10: $sum');
}
