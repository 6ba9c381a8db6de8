def main():
    print("Hello, World!")
    name = input("Enter your name: ")
    print(f"Hello, {name}!")
    total = sum(range(1, 11))
    print(f"Sum of numbers from 1 to 10: {total}")


if __name__ == "__main__":
    main()
