// SPDX-License-Identifier: MIT
// limits: timeout=60s cpu-time=60s memory=512M processes=128
import 'dart:convert';
import 'dart:io';
import 'dart:isolate';

void check(bool holds, String what) {
  if (!holds) {
    throw StateError(what);
  }
}

Future<String> exchange() async {
  final server = await ServerSocket.bind(InternetAddress.loopbackIPv4, 0);
  server.listen((peer) {
    peer.write('hello');
    peer.close();
  });
  final client = await Socket.connect(InternetAddress.loopbackIPv4, server.port);
  final text = await utf8.decodeStream(client);
  client.destroy();
  await server.close();
  return text;
}

Future<void> main() async {
  final squares = await Future.wait([for (var i = 0; i < 8; i++) Isolate.run(() => i * i)]);
  check(squares.reduce((sum, square) => sum + square) == 140, 'isolates');
  check((await Process.run('/bin/echo', ['hi'])).stdout == 'hi\n', 'process');
  final child = await Process.start('/bin/cat', []);
  child.stdin.write('piped');
  await child.stdin.close();
  check(await utf8.decodeStream(child.stdout) == 'piped', 'pipe');
  check(await child.exitCode == 0, 'wait');
  check(await exchange() == 'hello', 'socket');
  final file = File('file');
  await file.writeAsString('text');
  check(await file.length() == 4, 'file');
  var garbage = 0;
  for (var i = 0; i < 3000000; i++) {
    garbage += List.filled(16, i).length;
  }
  check(garbage == 48000000, 'garbage');
  check(Platform.numberOfProcessors >= 1, 'processors');
  print('threads, processes, collector, sockets: work');
}
