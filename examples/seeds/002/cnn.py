"""机器学习之Adam(Adaptive Moment Estimation)自适应学习率: the second script.

Added to the article: the seed, and the target that it uses without defining it.
"""
import torch
import torch.nn as nn
import torch.optim as optim

torch.manual_seed(0)


class SimpleModel(nn.Module):
    def __init__(self):
        super(SimpleModel, self).__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=3, padding=1)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(kernel_size=2, stride=2)  # 添加池化层
        self.conv2 = nn.Conv2d(32, 64, kernel_size=3, padding=1)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(kernel_size=2, stride=2)  # 添加池化层
        self.fc1 = nn.Linear(64 * 7 * 7, 128)
        self.relu3 = nn.ReLU()
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = self.pool1(self.relu1(self.conv1(x)))
        x = self.pool2(self.relu2(self.conv2(x)))
        x = x.view(-1, 64 * 7 * 7)  # 将特征图展平
        x = self.relu3(self.fc1(x))
        x = self.fc2(x)
        return x


# 创建模型和随机输入数据
model = SimpleModel()
data = torch.randn(1, 1, 28, 28)  # 输入数据,假设是28x28的单通道图像
target = torch.randint(0, 10, (1,))

# 定义损失函数和Adam优化器
criterion = nn.CrossEntropyLoss()
optimizer = optim.Adam(model.parameters(), lr=0.001)

for epoch in range(100):
    optimizer.zero_grad()  # 梯度清零
    outputs = model(data)  # 前向传播
    loss = criterion(outputs, target)  # 计算损失
    loss.backward()  # 反向传播,计算梯度
    optimizer.step()  # 更新模型参数

    if (epoch + 1) % 10 == 0:
        print(f'Epoch [{epoch+1}/100], Loss: {loss.item()}')

# 模型训练完成,可以使用训练好的模型进行预测等任务
