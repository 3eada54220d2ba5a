"""机器学习之Adam(Adaptive Moment Estimation)自适应学习率: the first script.

Added to the article: the seed.
"""
import torch
import torch.nn as nn
import torch.optim as optim

torch.manual_seed(0)


# 假设有一个简单的神经网络模型和数据
class SimpleModel(nn.Module):
    def __init__(self):
        super(SimpleModel, self).__init__()
        self.fc = nn.Linear(2, 1)  # 一个简单的全连接层模型

    def forward(self, x):
        return self.fc(x)


# 创建模型和数据
model = SimpleModel()
data = torch.tensor([[1.0, 2.0], [2.0, 3.0]], requires_grad=True)
target = torch.tensor([[0.0], [1.0]])

# 定义损失函数和Adam优化器
criterion = nn.MSELoss()  # 均方误差损失函数
optimizer = optim.Adam(model.parameters(), lr=0.01)  # 使用Adam优化器,设置学习率为0.01

# 训练模型
for epoch in range(100):
    optimizer.zero_grad()  # 梯度清零
    outputs = model(data)  # 前向传播
    loss = criterion(outputs, target)  # 计算损失
    loss.backward()  # 反向传播,计算梯度
    optimizer.step()  # 更新模型参数

    if (epoch + 1) % 10 == 0:
        print(f'Epoch [{epoch+1}/100], Loss: {loss.item()}')

# 模型训练完成,可以使用训练好的模型进行预测等任务
