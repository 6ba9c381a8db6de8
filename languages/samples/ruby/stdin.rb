$stdout.sync = true

puts "Hello, World!"
print "Enter your name: "
name = gets.to_s.chomp
puts "Hello, #{name}!"
puts "Sum of numbers from 1 to 10: #{(1..10).sum}"
