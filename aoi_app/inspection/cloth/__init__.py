"""What is said of the cloth as a whole: is it what it should be?"""
